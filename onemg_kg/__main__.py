"""``python -m onemg_kg``, for who has the package but not its command on the path."""

from onemg_kg.cli import main

if __name__ == "__main__":
    main()
