"""`python -m bot` is the command `yui`."""

import sys

from bot.cli import main

sys.exit(main())
