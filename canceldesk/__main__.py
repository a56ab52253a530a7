from canceldesk.cli import main

main()
