// ChannelValue: a node of a channel with its value.
#pragma once

#include <concepts>
#include <optional>
#include <utility>

#include <spawned/runtime/detail/channel_core.hpp>
#include <spawned/runtime/detail/pool.hpp>
#include <spawned/runtime/moved.hpp>

namespace spawned::detail {

template <typename T>
struct ChannelValue final : ChannelNode {
  template <typename... Args>
  explicit ChannelValue(Args&&... args) : value(std::forward<Args>(args)...) {}
  T value;
};

template <typename Value, typename T>
concept sendable_as = std::constructible_from<T, message_type<Value>>;

/// The value of a node that was taken, and its memory back. Null: no value.
template <typename T>
std::optional<T> unpack(ChannelNode* node) {
  if (node == nullptr) return std::nullopt;
  struct Owner {
    ~Owner() { pool_delete(value); }
    ChannelValue<T>* value;
  };
  Owner const owner{static_cast<ChannelValue<T>*>(node)};
  return std::optional<T>(std::in_place, std::move(owner.value->value));
}

}  // namespace spawned::detail
