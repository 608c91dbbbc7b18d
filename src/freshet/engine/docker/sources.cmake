# SPDX-License-Identifier: Apache-2.0
list(APPEND engine_sources
  docker/beast_impl.cpp
  docker/client.cpp
  docker/connection.cpp
  docker/container_output.cpp
  docker/containers.cpp
  docker/context_store.cpp
  docker/demultiplexer.cpp
  docker/endpoint.cpp
  docker/errors.cpp
  docker/http.cpp
  docker/images.cpp
  docker/json_access.cpp
  docker/json_stream.cpp
  docker/registry_auth.cpp
  docker/registry_errors.cpp
  docker/tls_tunnel.cpp
  docker/transfer_report.cpp
  docker/transfers.cpp
  docker/transport.cpp
  docker/version.cpp
  docker/volumes.cpp)

list(APPEND engine_tests
  docker/client_test.cpp
  docker/endpoint_test.cpp
  docker/http_test.cpp
  docker/real_engine_test.cpp
  docker/registry_errors_test.cpp
  docker/streams_test.cpp
  docker/tls_test.cpp
  docker/transport_test.cpp
  docker/upgrade_test.cpp)
