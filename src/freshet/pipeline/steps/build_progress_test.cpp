// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_progress.hpp"

#include "freshet/base/ids.hpp"

#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using namespace std::chrono_literals;

/// Writes down what it is told, one line a call.
class Recorder final : public RunObserver {
 public:
  std::vector<std::string> told;

  void on_build_started(const model::BuildRecord&, const std::vector<StepInfo>&) override {}
  void on_step_started(const StepInfo&) override {}
  void on_line(const StepInfo&, int vertex, std::string_view line) override {
    told.push_back(fmt::format("{}| {}", vertex, line));
  }
  void on_vertex(const StepInfo&, const VertexEvent& event) override {
    const char* states[] = {"started", "completed", "failed"};
    told.push_back(fmt::format(
        "{} {} {}{} {}ms",
        event.number,
        event.name,
        states[static_cast<int>(event.state)],
        event.cached ? " cached" : "",
        event.duration.count()));
  }
  void on_vertex_status(const StepInfo&, int vertex, std::string_view status) override {
    told.push_back(fmt::format("{} status {}", vertex, status));
  }
  void on_image(const StepInfo&, const model::ImageRecord&) override {}
  void on_step_finished(
      const StepInfo&, model::StepResult, std::chrono::milliseconds, const Error*) override {}
  void on_build_finished(
      const model::BuildRecord&, std::chrono::milliseconds, std::string_view) override {}
};

class BuildProgressTest : public ::testing::Test {
 protected:
  ~BuildProgressTest() override { fs::remove(file_); }

  static engine::Vertex vertex(std::string digest, std::string name) {
    engine::Vertex out;
    out.digest = std::move(digest);
    out.name = std::move(name);
    return out;
  }

  fs::path file_ = fs::temp_directory_path() / ("freshet-log-" + make_id());
  Masker masker_;
  Recorder recorder_;
  StepLog log_{StepInfo{"build", "build", "build"}, file_, masker_, recorder_};
  BuildProgress progress_{log_};
  engine::BuildTime start_{1000s};
};

TEST_F(BuildProgressTest, numbers_vertices_by_their_start_and_tells_each_end_once) {
  engine::Vertex announced = vertex("d1", "[1/2] FROM base");
  progress_.apply({{announced}, {}, {}, {}});
  engine::Vertex run = vertex("d2", "[2/2] RUN make");
  run.started = start_;
  progress_.apply({{run}, {}, {}, {}});
  run.completed = start_ + 1500ms;
  progress_.apply({{run}, {}, {}, {}});
  progress_.apply({{run}, {}, {}, {}});
  EXPECT_EQ(
      recorder_.told,
      (std::vector<std::string>{
          "1 [2/2] RUN make started 0ms", "1 [2/2] RUN make completed 1500ms"}));
}

TEST_F(BuildProgressTest, tells_a_vertex_again_that_went_on_after_its_first_end) {
  engine::Vertex load = vertex("d1", "[internal] load build context");
  load.started = start_;
  load.completed = start_;
  progress_.apply({{load}, {}, {}, {}});
  load.completed = start_ + 700ms;
  progress_.apply({{load}, {}, {}, {}});
  EXPECT_EQ(
      recorder_.told,
      (std::vector<std::string>{
          "1 [internal] load build context completed 0ms",
          "1 [internal] load build context completed 700ms"}));
}

TEST_F(BuildProgressTest, cuts_output_into_lines_of_its_vertex) {
  engine::Vertex run = vertex("d1", "[2/2] RUN make");
  run.started = start_;
  progress_.apply({{run}, {}, {{"d1", false, "one\ntw"}}, {}});
  progress_.apply({{}, {}, {{"d1", false, "o\n"}}, {}});
  EXPECT_EQ(recorder_.told[1], "1| one");
  EXPECT_EQ(recorder_.told[2], "1| two");
}

TEST_F(BuildProgressTest, counts_cached_marks_of_instructions_that_make_layers_only) {
  for (const auto& [name, cached] : {
           std::pair{"[internal] load build context", false},
           std::pair{"[1/3] FROM base", true},
           std::pair{"[2/3] COPY . /src", true},
           std::pair{"[stage-1 3/3] RUN make", false},
       }) {
    engine::Vertex done = vertex(name, name);
    done.started = start_;
    done.completed = start_;
    done.cached = cached;
    progress_.apply({{done}, {}, {}, {}});
  }
  EXPECT_EQ(progress_.count_cached().cached, 1);
  EXPECT_EQ(progress_.count_cached().total, 2);
}

TEST_F(BuildProgressTest, counts_as_cached_what_is_loaded_after_it_was_found_in_the_cache) {
  engine::Vertex run = vertex("d1", "[2/2] RUN make");
  run.started = start_;
  run.completed = start_;
  run.cached = true;
  progress_.apply({{run}, {}, {}, {}});
  run.completed = start_ + 900ms;
  run.cached = false;
  progress_.apply({{run}, {}, {}, {}});
  EXPECT_EQ(progress_.count_cached().cached, 1);
  EXPECT_EQ(progress_.times().at(0).duration, std::nullopt);
  EXPECT_EQ(recorder_.told.back(), "1 [2/2] RUN make completed cached 900ms");
}

TEST_F(BuildProgressTest, forgets_how_vertices_ended_when_the_build_begins_again) {
  engine::Vertex run = vertex("d1", "[2/2] RUN make");
  run.started = start_;
  run.completed = start_;
  run.cached = true;
  progress_.apply({{run}, {}, {}, {}});
  progress_.begin_again();
  EXPECT_EQ(progress_.count_cached().total, 0);
  run.completed = start_ + 900ms;
  run.cached = false;
  progress_.apply({{run}, {}, {}, {}});
  EXPECT_EQ(progress_.count_cached().cached, 0);
  EXPECT_EQ(progress_.count_cached().total, 1);
  EXPECT_EQ(progress_.times().at(0).duration, 900ms);
}

TEST_F(BuildProgressTest, knows_how_long_took_what_ended_well) {
  engine::Vertex run = vertex("d1", "[2/4] RUN make");
  run.started = start_;
  run.completed = start_ + 1500ms;
  engine::Vertex copy = vertex("d2", "[3/4] COPY . /src");
  copy.started = start_;
  copy.completed = start_ + 3ms;
  copy.cached = true;
  engine::Vertex open = vertex("d3", "[4/4] RUN test");
  open.started = start_;
  engine::Vertex failed = run;
  failed.digest = "d4";
  failed.error = "exit code 1";
  progress_.apply({{run, copy, open, failed}, {}, {}, {}});
  std::map<std::string, std::optional<std::chrono::milliseconds>> times;
  for (const cache::VertexTime& time : progress_.times()) {
    EXPECT_TRUE(times.emplace(time.name, time.duration).second);
  }
  EXPECT_EQ(
      times,
      (std::map<std::string, std::optional<std::chrono::milliseconds>>{
          {"[2/4] RUN make", 1500ms}, {"[3/4] COPY . /src", std::nullopt}}));
}

TEST_F(BuildProgressTest, masks_secrets_in_names_and_output_and_on_disk) {
  masker_.add("hunter22");
  engine::Vertex run = vertex("d1", "[2/2] RUN login hunter22");
  run.started = start_;
  progress_.apply({{run}, {}, {{"d1", false, "using hunt"}}, {}});
  progress_.apply({{}, {}, {{"d1", false, "er22\n"}}, {}});
  log_.finish();
  EXPECT_EQ(recorder_.told[0], "1 [2/2] RUN login ***** started 0ms");
  EXPECT_EQ(recorder_.told[1], "1| using *****");
  EXPECT_EQ(load_file(file_, 1000), "#1 [2/2] RUN login ***** started\n#1 using *****\n");
}

}  // namespace
}  // namespace freshet::pipeline
