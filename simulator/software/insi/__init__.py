"""The INSi client of practice software: reads the Vitale, searches, tries again, asks nothing twice."""
