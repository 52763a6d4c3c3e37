#pragma once

#include "muster/v1/join.pb.h"
#include "wire/pb.h"
