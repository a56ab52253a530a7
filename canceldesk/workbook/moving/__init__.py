"""Where everything that knows of a list's rows stands after rows came or one went."""
