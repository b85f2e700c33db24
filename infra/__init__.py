"""The cloud that Tuan runs in: its template, its deployment, and a local one."""
