#!/usr/bin/env python
"""Breachclock's command line."""

import os
import sys


def main() -> None:
    """Run a management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from compliance.engine.errors import LawError

    try:
        execute_from_command_line(sys.argv)
    except LawError as error:
        # Law that does not load stops every command, with one line that says where.
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    except ImproperlyConfigured as error:
        sys.stderr.write(f"settings: {error}\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
