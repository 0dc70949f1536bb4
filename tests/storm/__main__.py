"""python -m tests.storm"""

import sys

from tests.storm.run import main, parsed

if __name__ == "__main__":
    raise SystemExit(main(parsed(sys.argv[1:])))
