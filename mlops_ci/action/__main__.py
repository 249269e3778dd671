import sys

from mlops_ci.action.door import main

sys.exit(main(sys.argv[1:]))
