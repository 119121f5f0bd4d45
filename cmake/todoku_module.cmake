# SPDX-License-Identifier: Apache-2.0
# One folder of src/ = one static library; unit tests stand beside the code as *_test.cc.

# todoku_module(<path below src/> [PCH std|async] [DEPENDS <paths>...] [EXTERNAL <targets>...]
#   [TEST_DEPENDS <paths>...])
#
# Declares library todoku_<path with _> from every .cc of that folder (not of its subfolders), and,
# where *_test.cc files exist, a GoogleTest program todoku_<path>_test. DEPENDS is the row of the
# dependency table in docs/ARCHITECTURE.md; tools/tidy compares it with the actual includes.
# TEST_DEPENDS is what only the tests need beyond that, such as tests/support.
function(todoku_module path)
  cmake_parse_arguments(arg "" "PCH" "DEPENDS;EXTERNAL;TEST_DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name "todoku_${path}")
  set(dir ${PROJECT_SOURCE_DIR}/src/${path})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$|/main\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(libraries "")
  foreach(dependency IN LISTS arg_DEPENDS)
    string(REPLACE "/" "_" library "todoku_${dependency}")
    list(APPEND libraries ${library})
  endforeach()

  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC todoku_options ${libraries} ${arg_EXTERNAL})
    if(arg_PCH)
      target_precompile_headers(${name} REUSE_FROM todoku_pch_${arg_PCH})
      target_link_libraries(${name} PRIVATE todoku_pch_${arg_PCH})
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE todoku_options ${libraries} ${arg_EXTERNAL})
  endif()

  set_property(GLOBAL APPEND PROPERTY TODOKU_MODULES ${name})

  if(TODOKU_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} GTest::gmock GTest::gtest_main)
    foreach(dependency IN LISTS arg_TEST_DEPENDS)
      string(REPLACE "/" "_" library "todoku_${dependency}")
      target_link_libraries(${name}_test PRIVATE ${library})
    endforeach()
    if(arg_PCH)
      target_precompile_headers(${name}_test REUSE_FROM todoku_pch_${arg_PCH})
      target_link_libraries(${name}_test PRIVATE todoku_pch_${arg_PCH})
    endif()
    target_compile_definitions(${name}_test PRIVATE
      TODOKU_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${path} COMMAND ${name}_test)
  endif()
endfunction()
