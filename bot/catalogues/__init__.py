"""Fixed sentences, one file a language."""
