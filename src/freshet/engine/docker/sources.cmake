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
  docker/exports.cpp
  docker/http.cpp
  docker/image_export.cpp
  docker/image_layers.cpp
  docker/image_legacy.cpp
  docker/image_sources.cpp
  docker/image_store.cpp
  docker/image_tar.cpp
  docker/image_tar_split.cpp
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
  docker/image_export_test.cpp
  docker/image_legacy_test.cpp
  docker/image_sources_test.cpp
  docker/image_store_test.cpp
  docker/image_tar_test.cpp
  docker/real_engine_image_test.cpp
  docker/real_engine_test.cpp
  docker/registry_errors_test.cpp
  docker/streams_test.cpp
  docker/tls_test.cpp
  docker/transport_test.cpp
  docker/upgrade_test.cpp)
