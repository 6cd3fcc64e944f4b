"""ISO/IEC 7816-3 and -4 for any card: APDU, status words, BER-TLV, files, access conditions. No French word in here."""
