# creto_embed(target header file...): text files of the project inside the binary.
#
# Each file x.y of the list becomes the definition of `std::string_view creto::embedded::x_y()`, which
# `header` (from the root of src/) declares. The files are read when CMake configures, which a change
# of one repeats.
#
# creto_embed_list(target header function file...): the same, as one table: each file becomes a
# {name, text} of `std::span<const TextFile> creto::embedded::function()`.

function(creto_embed target header)
  set(definitions "")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(function ${file} NAME)
    string(REGEX REPLACE "[^a-z0-9]" "_" function ${function})
    file(READ ${file} text)
    string(APPEND definitions
      "std::string_view ${function}() {\n    return R\"embedded(${text})embedded\";\n}\n")
  endforeach()
  get_filename_component(name ${header} NAME_WE)
  set(out ${PROJECT_BINARY_DIR}/embedded/${name}.cpp)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
    "#include \"${header}\"\nnamespace creto::embedded {\n@definitions@}  // namespace creto::embedded\n")
  target_sources(${target} PRIVATE ${out})
endfunction()

function(creto_embed_list target header function)
  set(entries "")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(entry ${file} NAME)
    file(READ ${file} text)
    string(APPEND entries "    TextFile{\"${entry}\", R\"embedded(${text})embedded\"},\n")
  endforeach()
  get_filename_component(name ${header} NAME_WE)
  set(out ${PROJECT_BINARY_DIR}/embedded/${name}.cpp)
  file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
    "#include \"${header}\"\n#include <array>\nnamespace creto::embedded {\nnamespace {\nconstexpr std::array files{\n@entries@};\n}  // namespace\nstd::span<const TextFile> ${function}() {\n    return files;\n}\n}  // namespace creto::embedded\n")
  target_sources(${target} PRIVATE ${out})
endfunction()
