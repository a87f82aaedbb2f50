"""Decision rules of other tools, re-implemented from their documentation to judge what our gate judged."""
