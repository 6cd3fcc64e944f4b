"""A simulated client of an OpenID provider: what a careful software checks, each check of which a bench can try.

It reads the provider's document, and never looks behind it: what it knows came over HTTP.
"""
