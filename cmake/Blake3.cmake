# BLAKE3's upstream C sources with SIMD, as Debian's librust-blake3-dev ships them.
file(GLOB blake3_dirs /usr/share/cargo/registry/blake3-*/c)
if(NOT blake3_dirs)
  message(FATAL_ERROR "BLAKE3's C sources were not found: run `make setup` (package librust-blake3-dev)")
endif()
list(GET blake3_dirs 0 blake3_dir)
set(blake3_sources ${blake3_dir}/blake3.c ${blake3_dir}/blake3_dispatch.c ${blake3_dir}/blake3_portable.c)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  list(APPEND blake3_sources
    ${blake3_dir}/blake3_sse2_x86-64_unix.S ${blake3_dir}/blake3_sse41_x86-64_unix.S
    ${blake3_dir}/blake3_avx2_x86-64_unix.S ${blake3_dir}/blake3_avx512_x86-64_unix.S)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
  list(APPEND blake3_sources ${blake3_dir}/blake3_neon.c)
endif()
add_library(blake3 STATIC ${blake3_sources})
target_include_directories(blake3 SYSTEM PUBLIC ${blake3_dir})
# A hash is never debugged here: full speed in every preset, and no sanitizer in its inner loop.
target_compile_options(blake3 PRIVATE $<$<COMPILE_LANGUAGE:C>:-O3> -fno-sanitize=all)
# Its files are not ours to rename, and two of them are few.
set_target_properties(blake3 PROPERTIES UNITY_BUILD OFF)
