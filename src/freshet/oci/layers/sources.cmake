# SPDX-License-Identifier: Apache-2.0
set(oci_layers_sources
  layers/block_compressor.cpp
  layers/block_line.cpp
  layers/block_pool.cpp
  layers/compression.cpp
  layers/decompression.cpp
  layers/produced_stream.cpp
  layers/verified_stream.cpp)
set(oci_layers_tests
  layers/compression_test.cpp
  layers/decompression_test.cpp
  layers/produced_stream_test.cpp
  layers/wake_up_test.cpp)
set(oci_layers_uses OpenSSL::Crypto freshet_deflate PkgConfig::ZSTD ZLIB::ZLIB freshet_fmt)
