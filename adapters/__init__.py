"""One module or folder a platform; each only translates."""
