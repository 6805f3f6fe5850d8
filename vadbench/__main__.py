"""``python -m vadbench``."""

from vadbench.cli.main import main

if __name__ == "__main__":
    main()
