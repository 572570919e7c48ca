"""What proves an attempt: values in, bytes out, and the check of such bytes. Pure."""
