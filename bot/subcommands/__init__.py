"""The commands that do what the console does. Each module has `add`, which adds its part to the parser of `yui`."""
