"""The door for the runner: inputs and the event → the same requests as the command line.

`python -m mlops_ci.action` does what the event asks for; `… <step>` one step alone; `… post [step]`
closes what a job left open. Outputs, annotations, comment, checks and summary are written here.
"""
