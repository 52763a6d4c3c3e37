# One folder of src/ is one library. `NAME_test` is made of its *_test.cc files; a test of it is called
# NAME.SUITE.TEST, in the roles' folders NAME.parts.SUITE.TEST.
#
#   muster_library(eval DEPS muster_base)
#   muster_library(engine_tokenizer DEPS muster_base LIBS onig)

if(MUSTER_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
find_package(PkgConfig REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)

function(muster_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cc)
  if(tests)
    list(REMOVE_ITEM sources ${tests})
  endif()
  add_library(muster_${name} STATIC ${sources})
  target_include_directories(muster_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(muster_${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_LIBS})
  if(tests AND MUSTER_TESTS)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE muster_${name} GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE MUSTER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    # Unit tests run under the sanitizers, and in release only where those cannot build them.
    if(MUSTER_SANITIZE OR name MATCHES "^(engine_(model|scoring|program)|io|io_database|io_mesh|io_status|client|cli|web)$")
      set(prefix "${name}.")
      if(name MATCHES "^roles")
        set(prefix "${name}.parts.")  # ./dev test parts
      endif()
      gtest_discover_tests(${name}_test TEST_PREFIX ${prefix} DISCOVERY_TIMEOUT 60)
    endif()
  endif()
endfunction()
