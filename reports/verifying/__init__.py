"""Whether what a record says follows from the record: its journal, its verdicts, its reports, its inputs."""
