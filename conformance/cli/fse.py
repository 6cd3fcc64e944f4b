"""``bifente fse``: care sheets, lots, files and returns, read, checked and put through the front end."""
