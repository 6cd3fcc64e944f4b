"""The portals that ask for the CPS, and the local component that reads the Vitale for their pages."""
