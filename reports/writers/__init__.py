"""One module a format. Each turns a `Run` into a document, and knows nothing of the engine nor of its siblings."""
