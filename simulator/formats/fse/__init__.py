"""The electronic care sheet (FSE): its values, and the bytes that the practice and the bodies exchange.

What is public is followed: the input groups of sources#zone-invoice, securing modes, life cycle and deadlines of its
section 5. The content of a secured FSE, its hash and its signatures are not public: the format here is a laboratory
model, and every file says so in its first bytes.
"""
