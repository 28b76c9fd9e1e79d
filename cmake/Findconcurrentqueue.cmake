# moodycamel's ConcurrentQueue: headers only, used by our sources and by no header of ours. A path
# and no imported target, so that nothing of it can end up in the exported targets.
find_path(CONCURRENTQUEUE_INCLUDE_DIR concurrentqueue/concurrentqueue.h)
mark_as_advanced(CONCURRENTQUEUE_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(concurrentqueue
  REQUIRED_VARS CONCURRENTQUEUE_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "on Debian: apt install libconcurrentqueue-dev")
