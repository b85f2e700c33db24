"""DynamoDB, SQS and Secrets Manager in this process's memory, as far as Tuan asks them.

They answer what botocore's clients would, refuse what AWS refuses, and raise NotImplementedError
where they are asked for what they do not know, so that no answer is a guess.
"""
