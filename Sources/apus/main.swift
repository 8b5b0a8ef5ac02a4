import CNIPlugin

CNIPlugin.main()
