"""What codes mean, in the reader's language: of reports (verdicts, reasons, warnings), of errors.

Every door (page, PDF, bot, command line, the labels on pictures) takes its words from here.
"""
