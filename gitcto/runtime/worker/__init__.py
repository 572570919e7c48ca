"""One program under a supervisor: started, held to its limits, ended, recorded."""
