//go:build !linux

package cli

func runOffline()        { panic("scripts run it on linux only") }
func openSocketOffline() { panic("scripts run it on linux only") }
