"""`python -m waferviz`: the command line."""

from waferviz.cli import main

if __name__ == "__main__":
    main(prog_name="waferviz")
