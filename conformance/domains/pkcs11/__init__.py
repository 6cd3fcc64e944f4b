"""A PKCS#11 module put to the test."""
