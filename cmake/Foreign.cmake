# Foreign libraries, one target each, under the names that cmake/layers.txt uses.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

find_package(tl-expected REQUIRED)
add_library(foreign_expected INTERFACE)
target_link_libraries(foreign_expected INTERFACE tl::expected)

pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
add_library(foreign_sodium INTERFACE)
target_link_libraries(foreign_sodium INTERFACE PkgConfig::SODIUM)

include(Blake3)
add_library(foreign_blake3 INTERFACE)
target_link_libraries(foreign_blake3 INTERFACE blake3)

find_package(nlohmann_json REQUIRED)
add_library(foreign_json INTERFACE)
target_link_libraries(foreign_json INTERFACE nlohmann_json::nlohmann_json)

find_package(RocksDB REQUIRED)
add_library(foreign_rocksdb INTERFACE)
target_link_libraries(foreign_rocksdb INTERFACE RocksDB::rocksdb-shared)

find_package(Boost 1.81 REQUIRED)
add_library(foreign_asio INTERFACE)
target_link_libraries(foreign_asio INTERFACE Boost::headers Threads::Threads)

find_package(prometheus-cpp REQUIRED)
add_library(foreign_prometheus INTERFACE)
target_link_libraries(foreign_prometheus INTERFACE prometheus-cpp::core)

pkg_check_modules(TOMLPP REQUIRED IMPORTED_TARGET tomlplusplus)
add_library(foreign_toml INTERFACE)
target_link_libraries(foreign_toml INTERFACE PkgConfig::TOMLPP)

find_package(CLI11 REQUIRED)
add_library(foreign_cli11 INTERFACE)
target_link_libraries(foreign_cli11 INTERFACE CLI11::CLI11)

find_package(spdlog REQUIRED)
add_library(foreign_spdlog INTERFACE)
target_link_libraries(foreign_spdlog INTERFACE spdlog::spdlog)

find_package(GTest REQUIRED)
if(CRETO_BENCH)
  find_package(benchmark REQUIRED)
endif()
