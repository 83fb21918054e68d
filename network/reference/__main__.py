"""Print the reference."""

import sys

from network.reference.page import page

sys.stdout.write(page())
