# SPDX-License-Identifier: Apache-2.0
# One folder of src/ = one static library; unit tests stand beside the code as *_test.cc.

# todoku_precompiled(<target> std|async|tests): what it includes most is compiled already. With
# `tests` the target itself is not optimised: tests are compiled in a third of the time so, and what
# they test is optimised as ever, but for what stands in headers.
function(todoku_precompiled target headers)
  target_precompile_headers(${target} REUSE_FROM todoku_pch_${headers})
  target_link_libraries(${target} PRIVATE todoku_pch_${headers})
endfunction()

# todoku_module(<path below src/> [COLD] [PCH std|async] [DEPENDS <paths>...]
#   [EXTERNAL <targets>...] [TEST_DEPENDS <paths>...])
#
# Declares library todoku_<path with _> from every .cc of that folder (not of its subfolders), and,
# where *_test.cc files exist, a GoogleTest program todoku_<path>_test. DEPENDS is the row of the
# dependency table in docs/ARCHITECTURE.md; tools/tidy compares it with the actual includes.
# TEST_DEPENDS is what only the tests need beyond that, such as tests/support. COLD: builds with
# sanitizers spend more on compiling it than on running it, and do not optimise it.
function(todoku_module path)
  cmake_parse_arguments(arg "COLD" "PCH" "DEPENDS;EXTERNAL;TEST_DEPENDS" ${ARGN})
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
    if(arg_COLD AND TODOKU_SANITIZE)
      todoku_precompiled(${name} cold)
    elseif(arg_PCH)
      todoku_precompiled(${name} ${arg_PCH})
    endif()
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE todoku_options ${libraries} ${arg_EXTERNAL})
  endif()

  set_property(GLOBAL APPEND PROPERTY TODOKU_MODULES ${name})

  if(TODOKU_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} GTest::gtest_main)
    todoku_precompiled(${name}_test tests)
    foreach(dependency IN LISTS arg_TEST_DEPENDS)
      string(REPLACE "/" "_" library "todoku_${dependency}")
      target_link_libraries(${name}_test PRIVATE ${library})
    endforeach()
    target_compile_definitions(${name}_test PRIVATE
      TODOKU_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${path} COMMAND ${name}_test)
  endif()
endfunction()
