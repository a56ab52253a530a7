from canceldesk.settings import *  # noqa: F403
