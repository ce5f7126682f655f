# Writes canonical.txt: JSON texts and the canonical form that Python gives them.
# Standard library only; made with Python 3.11. Run: python3 canonical.py > canonical.txt
import json

texts = [
    r'{}', r'[]', r'null', r'"x"', r'{"b":1,"a":2}', r'{"b":{"z":1,"y":[{"d":1,"c":2}]},"a":[ ]}',
    r'{"B":1,"a":2,"":3,"aa":4,"a b":5}', r'{"\u00e9":1,"e":2,"\ud83d\ude00":3,"\uffff":4}',
    r'{"\u0062":1,"a":2,"c\n":3,"c ":4}', r'["\u0000\u001f\u007f\u0080\u2028\"\\\/\b\f\n\r\t<>&"]',
    r'[0,-0,1,-1,123456789012345678901234567890]',
    r'[0.0,-0.0,1.0,1.5,1e5,1E5,1e+5,1e15,1e16,1.5e16,1e17,123456789012345680.0]',
    r'[0.1,0.001,0.0001,0.00001,1e-4,1e-5,1.5e-7,5e-324,1.7976931348623157e308,2.5e-10]',
    r'[0.30000000000000004,3.141592653589793,2.2250738585072014e-308,9007199254740993.0,1e22,1e23]',
    r' { "a" : [ 1 , true , false , null ] } ',
]
for text in texts:
    value = json.loads(text)
    print(text)
    print(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False))
