# SPDX-License-Identifier: Apache-2.0
# Compiler and linker settings shared by every target, and the external libraries.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(todoku_options INTERFACE)
target_include_directories(todoku_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(todoku_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Werror
  -Wno-missing-field-initializers -fno-omit-frame-pointer
  -Xclang -fno-pch-timestamp)
target_compile_definitions(todoku_options INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_ASIO_DISABLE_BOOST_ARRAY BOOST_ASIO_DISABLE_BOOST_REGEX)
target_link_options(todoku_options INTERFACE -fuse-ld=lld)
if(TODOKU_SANITIZE)
  target_compile_options(todoku_options INTERFACE
    -fsanitize=${TODOKU_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(todoku_options INTERFACE -fsanitize=${TODOKU_SANITIZE})
endif()

if(TODOKU_FUZZ)
  # For everything, because the precompiled headers must be compiled like their users.
  target_compile_options(todoku_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-uc icu-i18n)
pkg_check_modules(IDN2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(PSL REQUIRED IMPORTED_TARGET libpsl)
# Its .pc file asks for development packages that linking does not need.
find_library(UNBOUND_LIBRARY unbound REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(ZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat)
pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
# They ask for -pthread, which the precompiled headers of pure code are made without; the libraries
# that they need are linked all the same.
set_property(TARGET PkgConfig::GMIME PkgConfig::RE2 PROPERTY INTERFACE_COMPILE_OPTIONS "")
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq)
if(TODOKU_TESTS)
  find_package(GTest REQUIRED)
endif()
