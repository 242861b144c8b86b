"""One process that keeps the model loaded, and the client that talks to it; cheap to import."""
