"""The ground under everything: words in two languages, time, identifiers, the data that comes with the code."""
