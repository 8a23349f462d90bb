"""The reference models of the practice competitions: scikit-learn's families, each with a few ordinary settings.

Everything random has seed 0 and every model runs on one core, so that a second run gives the same figures.
"""

from __future__ import annotations

from typing import Any

from sklearn import discriminant_analysis, ensemble, linear_model, naive_bayes, neighbors, neural_network, svm, tree
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.dummy import DummyRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

Models = dict[str, Any]
"""Name of a reference model -> the unfitted model."""


def scaled(*steps: Any) -> Any:
    """The steps after standardising every feature."""
    return make_pipeline(StandardScaler(), *steps)


def classifiers() -> Models:
    """41 classifiers, from a depth-2 tree to kernel machines and boosting."""
    models: Models = {
        "naive Bayes": naive_bayes.GaussianNB(var_smoothing=1e-3),
        "naive Bayes, scaled": scaled(naive_bayes.GaussianNB(var_smoothing=1e-2)),
        "naive Bayes, binary": scaled(naive_bayes.BernoulliNB()),
        "linear discriminant": discriminant_analysis.LinearDiscriminantAnalysis(),
        "quadratic discriminant": scaled(discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.1)),
        "perceptron": scaled(linear_model.Perceptron(random_state=0)),
        "ridge": scaled(linear_model.RidgeClassifier()),
        "stochastic gradient, hinge": scaled(linear_model.SGDClassifier(random_state=0)),
        "AdaBoost of stumps": ensemble.AdaBoostClassifier(random_state=0),
        "AdaBoost of depth-5 trees": ensemble.AdaBoostClassifier(
            tree.DecisionTreeClassifier(max_depth=5, random_state=0), n_estimators=100, random_state=0
        ),
        "bagged trees": ensemble.BaggingClassifier(n_estimators=30, random_state=0),
        "gradient boosting": ensemble.GradientBoostingClassifier(n_estimators=50, random_state=0),
        "histogram boosting, 100 rounds": ensemble.HistGradientBoostingClassifier(random_state=0),
        "histogram boosting, 30 rounds": ensemble.HistGradientBoostingClassifier(max_iter=30, random_state=0),
        "PCA 10 + logistic": scaled(PCA(10, random_state=0), linear_model.LogisticRegression(max_iter=2000)),
        "PCA 20 + 5 neighbours": scaled(PCA(20, random_state=0), neighbors.KNeighborsClassifier()),
    }
    for depth in (2, 5, 10):
        models[f"tree, depth {depth}"] = tree.DecisionTreeClassifier(max_depth=depth, random_state=0)
    for k in (1, 3, 5, 15, 51):
        models[f"{k} neighbours"] = neighbors.KNeighborsClassifier(k)
    models["5 neighbours, scaled"] = scaled(neighbors.KNeighborsClassifier())
    for c in (0.01, 0.1, 1, 10):
        models[f"logistic, C {c}"] = scaled(linear_model.LogisticRegression(C=c, max_iter=2000))
    for n in (10, 100, 300):
        models[f"random forest, {n} trees"] = ensemble.RandomForestClassifier(n, random_state=0)
    models["extra trees, 100 trees"] = ensemble.ExtraTreesClassifier(100, random_state=0)
    models["extra trees, 300 trees"] = ensemble.ExtraTreesClassifier(300, random_state=0)
    models["linear SVM, C 0.01"] = scaled(svm.LinearSVC(C=0.01, random_state=0))
    models["linear SVM, C 1"] = scaled(svm.LinearSVC(C=1, random_state=0))
    models["Gaussian SVM, C 1"] = scaled(svm.SVC(C=1))
    models["Gaussian SVM, C 10"] = scaled(svm.SVC(C=10))
    models["cubic SVM"] = svm.SVC(kernel="poly", degree=3)
    models["network, 20 units"] = scaled(neural_network.MLPClassifier((20,), max_iter=500, random_state=0))
    models["network, 100 units"] = scaled(neural_network.MLPClassifier((100,), max_iter=500, random_state=0))
    return models


def regressors() -> Models:
    """41 regressors, from the constant mean to kernel machines and boosting."""
    models: Models = {
        "mean": DummyRegressor(),
        "least squares": linear_model.LinearRegression(),
        "Bayesian ridge": scaled(linear_model.BayesianRidge()),
        "Huber": scaled(linear_model.HuberRegressor(max_iter=1000)),
        "Theil-Sen": scaled(linear_model.TheilSenRegressor(random_state=0, max_subpopulation=500)),
        "stochastic gradient": scaled(linear_model.SGDRegressor(random_state=0)),
        "least angles, 5 steps": scaled(linear_model.Lars(n_nonzero_coefs=5)),
        "elastic net": scaled(linear_model.ElasticNet(alpha=0.5)),
        "PCA 4 + least squares": scaled(PCA(4, random_state=0), linear_model.LinearRegression()),
        "partial least squares, 2": PLSRegression(2),
        "partial least squares, 5": PLSRegression(5),
        "Gaussian kernel ridge": scaled(KernelRidge(kernel="rbf", gamma=0.01, alpha=0.1)),
        "quadratic kernel ridge": scaled(KernelRidge(kernel="poly", degree=2, alpha=10)),
        "AdaBoost": ensemble.AdaBoostRegressor(random_state=0),
        "bagged trees": ensemble.BaggingRegressor(n_estimators=30, random_state=0),
        "gradient boosting, 50 rounds": ensemble.GradientBoostingRegressor(n_estimators=50, random_state=0),
        "gradient boosting, 200 rounds": ensemble.GradientBoostingRegressor(n_estimators=200, random_state=0),
        "histogram boosting": ensemble.HistGradientBoostingRegressor(random_state=0),
        "histogram boosting, slow": ensemble.HistGradientBoostingRegressor(
            learning_rate=0.03, max_iter=100, min_samples_leaf=30, random_state=0
        ),
        "network, 50 units": scaled(
            neural_network.MLPRegressor(hidden_layer_sizes=(50,), max_iter=2000, random_state=0)
        ),
    }
    for alpha in (1, 30, 300):
        models[f"ridge, {alpha}"] = scaled(linear_model.Ridge(alpha=alpha))
    for alpha in (0.1, 1, 10):
        models[f"lasso, {alpha}"] = scaled(linear_model.Lasso(alpha=alpha))
    models["squares and products + ridge"] = scaled(PolynomialFeatures(2), linear_model.Ridge(alpha=100))
    models["squares and products + lasso"] = scaled(PolynomialFeatures(2), linear_model.Lasso(alpha=2))
    for depth in (2, 4, 8):
        models[f"tree, depth {depth}"] = tree.DecisionTreeRegressor(max_depth=depth, random_state=0)
    for k in (3, 10, 30):
        models[f"{k} neighbours"] = scaled(neighbors.KNeighborsRegressor(k))
    for n in (10, 300):
        models[f"random forest, {n} trees"] = ensemble.RandomForestRegressor(n, random_state=0)
    models["random forest, large leaves"] = ensemble.RandomForestRegressor(300, min_samples_leaf=10, random_state=0)
    models["extra trees, 300 trees"] = ensemble.ExtraTreesRegressor(300, random_state=0)
    for c in (10, 100):
        models[f"Gaussian support vectors, C {c}"] = scaled(svm.SVR(C=c))
    models["linear support vectors"] = scaled(svm.SVR(kernel="linear"))
    return models
