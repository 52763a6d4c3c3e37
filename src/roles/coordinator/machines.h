#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "roles/coordinator/backoffs.h"
#include "roles/role.h"

namespace muster::roles::coordinator {

// The machines of a job: those that are lent to it now, what is known of all that ever were, and
// whether others may yet come.
//
// A lent machine is asked every kRepeatEvery to have the model ready until it says that it has, or
// cannot; one that does not get ready for too long cannot, whatever it says. Who cannot, or takes
// leases and answers none, or comes and goes, is of no use for a while, longer each time; it is
// known as such until it has served. Its speed is measured by the leases it has answered.
//
// Invariants: a lent machine is known; one that is ready has a class and may be asked.
class Machines {
 public:
  struct Lent {
    bool ready = false;
    std::string unable;     // Why it cannot; empty while it may.
    std::string preparing;  // What it does before it is ready: "fetching 12 of 98 MB".
    Instant prepare_due{};
    Instant not_before{};         // After a failed attempt.
    int failures = 0;             // Attempts that failed, since the last that did not.
    double bytes_per_second = 0;  // Measured; 0: not yet.
  };
  // Lent to the job now or before.
  struct Known {
    std::string owner;
    std::string numeric_class;  // Since it was ready first.
    // It is asked to have the model ready, and is not yet; a short absence is no excuse.
    struct Patience {
      Instant since{}, step_since{};  // Asked; at what it does now.
      Instant watched{};
    };
    std::optional<Patience> patience;
    int fruitless = 0;  // Leases that came to nothing, since an answer.
  };

  explicit Machines(uint64_t epoch) : epoch_(epoch) {}

  // What the server says; false when it said something newer before.
  bool hear(const pb::Lend& lend);
  // The line is up again, or the job was assigned anew: nobody is missing until then, and the
  // server may count from another number.
  void expect_others(Instant until);
  void on_line(Instant now, bool up);
  // Takes in those that are lent and were not before; returns them, in the order of the message.
  std::vector<std::string> arrive(Instant now, const pb::Lend& lend, Effects& effects);
  // Those that are not lent any more, in order of name.
  [[nodiscard]] std::vector<std::string> leaving(const pb::Lend& lend) const;
  void leave(const std::string& machine);

  // What a lent machine says; what another does changes nothing.
  void on_preparing(Instant now, const std::string& machine, const std::string& what);
  void on_ready(const std::string& machine, const std::string& numeric_class);

  // Those that do not get the model ready, whatever they say.
  std::vector<std::string> overdue(Instant now);
  // Appends what is due: the question to each that is not ready.
  void send_due(Instant now, const pb::JobKey& key, Effects& effects);

  // It is of no use for now: others may have it, and it is asked again later.
  void give_back(Instant now, const std::string& machine, const Error& why, Effects& effects);
  // It has answered: whatever it could not do before, it is asked at once.
  void on_served(const std::string& machine);
  // One of its leases came to nothing: whether that was once too often, or it was given back
  // before.
  bool note_fruitless(const std::string& machine);
  // It was given back for answering none: whether so many in a row were, since anybody's answer,
  // that it is not the machines.
  bool note_barren(const std::string& machine);
  // It had all the time that there is: once was enough.
  void note_hopeless(const std::string& machine);
  // It is asked whether it is ready before it gets another lease.
  void ask_again(const std::string& machine);
  // After a failed attempt: twice as long after each in a row, up to a bound, and not all machines
  // at once.
  void back_off(Instant now, const std::string& machine);
  void forget_failures(const std::string& machine);
  // It has answered so much in that time.
  void note_speed(const std::string& machine, size_t bytes, Duration elapsed);
  // When it must have answered so much, begun at `from`, however much it says: five times what it
  // should take, ten minutes at most. Who was not measured may be four times as slow as the slowest
  // that was.
  [[nodiscard]] Instant latest_end(Instant from, const std::string& machine, size_t bytes) const;

  [[nodiscard]] const std::map<std::string, Lent>& lent() const { return lent_; }
  [[nodiscard]] const Lent* find(const std::string& machine) const;  // Null: not lent.
  // Rises with each change that may make one able to work, or unable.
  [[nodiscard]] uint64_t changes() const { return changes_; }
  [[nodiscard]] const std::map<std::string, Known>& known() const { return known_; }
  [[nodiscard]] const Backoffs& backoffs() const { return backoffs_; }
  // Null: it was never lent.
  [[nodiscard]] const std::string* owner(const std::string& machine) const;
  // Null: it was never ready.
  [[nodiscard]] const std::string* class_of(const std::string& machine) const;
  [[nodiscard]] bool any_was_ready() const;
  // Lent, and it may be given a lease once it is free.
  [[nodiscard]] bool may_work(const std::string& machine) const;
  // Lent, and nothing is known of it that says that it cannot serve.
  [[nodiscard]] bool may_serve(const std::string& machine) const;
  // Who takes leases and answers none, or cannot, has no claim to give the values.
  [[nodiscard]] bool has_claim(const std::string& machine) const;
  // Gets no more leases.
  [[nodiscard]] bool is_retiring(const std::string& machine) const {
    return retiring_.contains(machine);
  }
  // Lent ones that have been getting ready for long.
  [[nodiscard]] size_t loading_long(Instant now) const;
  // A Lend was heard: it says whose votes count.
  [[nodiscard]] bool has_heard() const { return heard_; }
  [[nodiscard]] bool is_line_up() const { return line_up_; }
  // The server may not know yet who will be back.
  [[nodiscard]] bool may_return(Instant now) const { return !line_up_ || now < others_until_; }
  // Machines that are not lent now may be soon: they are at work elsewhere, or on their way back to
  // a server that has just come.
  [[nodiscard]] bool others_may_come(Instant now) const {
    return elsewhere_ > 0 || may_return(now);
  }

  void check() const;

 private:
  bool watch(Instant now, Known& known);
  void hold_back(const std::string& machine, Effects& effects);

  uint64_t epoch_;
  uint64_t changes_ = 0;
  bool heard_ = false, line_up_ = true;
  uint64_t revision_ = 0;
  uint32_t elsewhere_ = 0;  // Others that could be lent, were they not at work.
  Instant others_until_{};
  std::set<std::string> retiring_;
  std::map<std::string, Lent> lent_;
  std::map<std::string, Known> known_;
  Backoffs backoffs_;             // Machines that could not serve this job.
  std::set<std::string> barren_;  // Given back for answering none, since anybody's answer.
  double slowest_ = 0;            // Bytes a second of the slowest that was measured; 0: none was.
};

}  // namespace muster::roles::coordinator
