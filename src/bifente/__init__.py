"""Bifente, a laboratory bench for the French health-card workstation.

In a checkout the packages below this name are links to the folders at its top; an installed bench has them here.
"""
