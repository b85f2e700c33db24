"""The merge template: what differs in short YAML files, what follows from it in modules beside.

Written out by hand it would be 4,000 lines in which sixteen roles, log groups, environments and
alarms say the same thing in slightly different words. The sum of these files is plain
CloudFormation, and that is what is tested.
"""
