# SPDX-License-Identifier: Apache-2.0
# The console's pages (console/) inside the binary: library todoku_console_assets, which is
# console/assets.h. Built by npm where sources changed, once for all build folders (tools/console).

option(TODOKU_CONSOLE "Build the console's pages into the engine; needs npm" ON)
set(TODOKU_CONSOLE_WORK ${PROJECT_SOURCE_DIR}/build/console CACHE PATH
  "Where the console is built")
set(made ${CMAKE_BINARY_DIR}/console/assets.cc)
set(tool /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tools/console)

if(TODOKU_CONSOLE)
  # Packages come while configuring, so that the build itself needs nothing of others.
  execute_process(COMMAND ${tool} install ${TODOKU_CONSOLE_WORK} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "The console's packages are missing: see above.")
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/console/src/*
    ${PROJECT_SOURCE_DIR}/console/public/*)
  file(GLOB more ${PROJECT_SOURCE_DIR}/console/*.json ${PROJECT_SOURCE_DIR}/console/*.ts
    ${PROJECT_SOURCE_DIR}/console/*.html)
  # What the pages are not made of needs no other build of them.
  list(FILTER sources EXCLUDE REGEX "\\.test\\.ts$")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/console/package-lock.json)
  add_custom_command(OUTPUT ${made} BYPRODUCTS ${CMAKE_BINARY_DIR}/console/assets.bin
    COMMAND ${tool} embed ${TODOKU_CONSOLE_WORK} ${made}
    DEPENDS ${sources} ${more} ${PROJECT_SOURCE_DIR}/docs/openapi.json
            ${PROJECT_SOURCE_DIR}/tools/console
    COMMENT "Building the console's pages" VERBATIM)
  if(TODOKU_TESTS)
    add_test(NAME console/pages COMMAND ${tool} test ${TODOKU_CONSOLE_WORK})
    set_tests_properties(console/pages PROPERTIES TIMEOUT 900 LABELS release)
  endif()
else()
  file(CONFIGURE OUTPUT ${made} @ONLY CONTENT [[
#include "console/assets.h"
std::span<const todoku::console::Asset> todoku::console::embedded_assets() { return {}; }
]])
endif()

add_library(todoku_console_assets STATIC ${made})
target_link_libraries(todoku_console_assets PRIVATE todoku_options)
target_include_directories(todoku_console_assets PUBLIC ${PROJECT_SOURCE_DIR}/src)
set_target_properties(todoku_console_assets PROPERTIES UNITY_BUILD OFF)
