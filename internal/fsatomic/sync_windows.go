package fsatomic

// syncDir has nothing to do: Windows has no sync of folders, NTFS journals renames.
func syncDir(string) error { return nil }
